/// Losses, each a mean over all elements.
public enum Loss {
    /// `predicted` and `target` of one shape; predictions strictly in 0...1.
    public static func binaryCrossEntropy(_ predicted: Tensor, _ target: Tensor) throws(TorchError) -> Tensor {
        try Op.binaryCrossEntropy(.tensor(predicted), .tensor(target))
    }

    public static func binaryCrossEntropy(logits: Tensor, _ target: Tensor) throws(TorchError) -> Tensor {
        try Op.binaryCrossEntropyWithLogits(.tensor(logits), .tensor(target))
    }

    public static func meanSquaredError(_ predicted: Tensor, _ target: Tensor) throws(TorchError) -> Tensor {
        try Op.meanSquaredError(.tensor(predicted), .tensor(target))
    }
}
