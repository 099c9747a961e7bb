/// An exponential moving average of weights: steadier than the last step's on few and noisy rows.
///
/// Source: Polyak and Juditsky 1992; the decaying form as in Kingma and Ba 2015, section 7.2.
public struct WeightAverage {
    /// The share that each step keeps of the average so far.
    public let decay: Double
    private let names: [String]
    private let parameters: [Tensor]
    private let average: [Tensor]
    private var steps = 0

    public init(decay: Double, _ parameters: [(name: String, parameter: Parameter)]) throws(TorchError) {
        self.decay = decay
        names = parameters.map(\.name)
        self.parameters = parameters.map(\.parameter.value)
        var copies: [Tensor] = []
        for (_, parameter) in parameters { copies.append(try parameter.value.copied()) }
        average = copies
    }

    /// Takes the weights as they are now into the average.
    public mutating func update() throws(TorchError) {
        steps += 1
        // Early on the average follows quickly, so that it forgets where the weights began.
        let keep = min(decay, Double(steps) / Double(steps + 10))
        try withoutGradients { () throws(TorchError) in
            _ = try Op.interpolateInPlace.results(.tensors(average), .tensors(parameters), .double(1 - keep))
        }
    }

    /// Runs `body` with the averaged weights in place, then puts the others back.
    public func applied<Result>(_ body: () throws -> Result) throws -> Result {
        var own: [Tensor] = []
        for parameter in parameters { own.append(try parameter.copied()) }
        func put(_ weights: [Tensor]) throws(TorchError) {
            for (parameter, weight) in zip(parameters, weights) { try parameter.overwrite(with: weight) }
        }
        try put(average)
        do {
            let result = try body()
            try put(own)
            return result
        } catch {
            try put(own)
            throw error
        }
    }

    /// Everything a resumed run needs, by name.
    public func state() throws(TorchError) -> [String: Tensor] {
        var state: [String: Tensor] = ["steps": try Tensor([Int64(steps)])]
        for (name, tensor) in zip(names, average) { state["average.\(name)"] = try tensor.copied() }
        return state
    }

    public mutating func load(_ state: [String: Tensor]) throws(TorchError) {
        guard let count = try state["steps"]?.item() else {
            throw TorchError(operation: "load average", message: "no state named steps")
        }
        steps = Int(count)
        for (name, tensor) in zip(names, average) {
            guard let value = state["average.\(name)"] else {
                throw TorchError(operation: "load average", message: "no state named average.\(name)")
            }
            try tensor.overwrite(with: value)
        }
    }
}
