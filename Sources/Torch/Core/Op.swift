/// The operators of libtorch that this package calls, by their schemas' names.
enum Op {
    // Making
    static let zeros = Operator("zeros")
    static let full = Operator("full")
    static let uniformInPlace = Operator("uniform_")
    static let normalInPlace = Operator("normal_")
    static let clone = Operator("clone")
    static let detach = Operator("detach")
    static let toDType = Operator("to", "dtype")

    // Arithmetic
    static let add = Operator("add", "Tensor")
    static let addScalar = Operator("add", "Scalar")
    static let subtract = Operator("sub", "Tensor")
    static let multiply = Operator("mul", "Tensor")
    static let multiplyScalar = Operator("mul", "Scalar")
    static let divide = Operator("div", "Tensor")
    static let power = Operator("pow", "Tensor_Tensor")
    static let powerScalar = Operator("pow", "Tensor_Scalar")
    static let negate = Operator("neg")
    static let reciprocal = Operator("reciprocal")
    static let exp = Operator("exp")
    static let log = Operator("log")
    static let logOnePlus = Operator("log1p")
    static let sqrt = Operator("sqrt")
    static let abs = Operator("abs")
    static let clamp = Operator("clamp")
    static let isFinite = Operator("isfinite")
    static let matmul = Operator("matmul")

    // Activations
    static let sigmoid = Operator("sigmoid")
    static let tanh = Operator("tanh")
    static let relu = Operator("relu")
    static let silu = Operator("silu")
    static let gelu = Operator("gelu")
    static let softplus = Operator("softplus")
    static let softmax = Operator("softmax", "int")
    static let logSoftmax = Operator("log_softmax", "int")
    static let logSigmoid = Operator("log_sigmoid")

    // Reductions
    static let sumAll = Operator("sum")
    static let sum = Operator("sum", "dim_IntList")
    static let meanAll = Operator("mean")
    static let mean = Operator("mean", "dim")
    static let all = Operator("all")

    // Shapes
    static let reshape = Operator("reshape")
    static let transpose = Operator("transpose", "int")
    static let slice = Operator("slice", "Tensor")
    static let select = Operator("select", "int")
    static let concatenate = Operator("cat")
    static let stack = Operator("stack")
    static let split = Operator("split", "Tensor")
    static let unbind = Operator("unbind", "int")
    static let unsqueeze = Operator("unsqueeze")
    static let squeeze = Operator("squeeze", "dim")
    static let indexSelect = Operator("index_select")
    static let expand = Operator("expand")

    // Layers
    static let linear = Operator("linear")
    static let embedding = Operator("embedding")
    static let embeddingBag = Operator("_embedding_bag")
    static let dropout = Operator("dropout")
    static let layerNorm = Operator("layer_norm")
    static let conv1d = Operator("conv1d")
    static let attention = Operator("scaled_dot_product_attention")
    static let lstmPacked = Operator("lstm", "data")
    static let gruPacked = Operator("gru", "data")
    static let rnnPacked = Operator("rnn_tanh", "data")

    // Losses
    static let binaryCrossEntropy = Operator("binary_cross_entropy")
    static let binaryCrossEntropyWithLogits = Operator("binary_cross_entropy_with_logits")
    static let meanSquaredError = Operator("mse_loss")

    // Steps
    static let addInPlace = Operator("add_", "Scalar")
    static let adam = Operator("_fused_adam_")
    static let adamW = Operator("_fused_adamw_")
    static let sgd = Operator("_fused_sgd_")
    static let interpolateInPlace = Operator("_foreach_lerp_", "Scalar")
    static let norms = Operator("_foreach_norm", "Scalar")
    static let scaleInPlace = Operator("_foreach_mul_", "Tensor")
}
