/// Which rule turns gradients into steps, with its constants.
public enum OptimizerRule: Codable, Sendable, Equatable {
    /// Kingma and Ba 2015; `weightDecay` is added to the gradient (L2).
    case adam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0)
    /// Loshchilov and Hutter 2019; `weightDecay` shrinks the weights themselves.
    case adamW(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01)
    case sgd(momentum: Double = 0, weightDecay: Double = 0)

    public var weightDecay: Double {
        switch self {
        case .adam(_, _, _, let decay), .adamW(_, _, _, let decay), .sgd(_, let decay): decay
        }
    }

    /// The same rule with another weight decay.
    public func with(weightDecay decay: Double) -> OptimizerRule {
        switch self {
        case .adam(let a, let b, let e, _): .adam(beta1: a, beta2: b, epsilon: e, weightDecay: decay)
        case .adamW(let a, let b, let e, _): .adamW(beta1: a, beta2: b, epsilon: e, weightDecay: decay)
        case .sgd(let momentum, _): .sgd(momentum: momentum, weightDecay: decay)
        }
    }
}

/// Steps over a list of parameters, all of them in one fused call.
public struct Optimizer {
    public let rule: OptimizerRule
    private let names: [String]
    private let parameters: [Tensor]
    /// First and second moments (Adam), or the momentum (SGD), by parameter.
    private var first: [Tensor] = []
    private var second: [Tensor] = []
    private var steps: [Tensor] = []

    public init(_ rule: OptimizerRule, _ parameters: [(name: String, parameter: Parameter)]) throws(TorchError) {
        self.rule = rule
        names = parameters.map(\.name)
        self.parameters = parameters.map(\.parameter.value)
        for parameter in self.parameters {
            first.append(try .zeros(parameter.shape, parameter.dtype, device: parameter.device))
            if case .sgd = rule { continue }
            second.append(try .zeros(parameter.shape, parameter.dtype, device: parameter.device))
            steps.append(try .zeros([], .float32, device: parameter.device))
        }
    }

    /// One step at `learningRate`; parameters without a gradient stay as they are.
    public mutating func step(learningRate: Double) throws(TorchError) {
        var used: [Int] = []
        var gradients: [Tensor] = []
        for (index, parameter) in parameters.enumerated() {
            guard let gradient = try parameter.gradient() else { continue }
            used.append(index)
            gradients.append(gradient)
        }
        guard !used.isEmpty else { return }
        func chosen(_ tensors: [Tensor]) -> Operator.Argument { .tensors(used.map { tensors[$0] }) }
        try withoutGradients { () throws(TorchError) in
            switch rule {
            case .adam(let beta1, let beta2, let epsilon, let decay):
                try adaptive(Op.adam, beta1, beta2, epsilon, decay)
            case .adamW(let beta1, let beta2, let epsilon, let decay):
                try adaptive(Op.adamW, beta1, beta2, epsilon, decay)
            case .sgd(let momentum, let decay):
                _ = try Op.sgd.results(
                    chosen(parameters), .tensors(gradients),
                    momentum == 0 ? .tensors([]) : chosen(first), .double(decay), .double(momentum),
                    .double(learningRate), .double(0), .bool(false), .bool(false), .bool(false))
            }
        }

        func adaptive(
            _ kernel: Operator, _ beta1: Double, _ beta2: Double, _ epsilon: Double, _ decay: Double
        ) throws(TorchError) {
            for index in used { _ = try Op.addInPlace(.tensor(steps[index]), .int(1)) }
            _ = try kernel.results(
                chosen(parameters), .tensors(gradients), chosen(first), chosen(second), .tensors([]),
                chosen(steps), .double(learningRate), .double(beta1), .double(beta2), .double(decay),
                .double(epsilon), .bool(false), .bool(false))
        }
    }

    public func clearGradients() throws(TorchError) {
        for parameter in parameters { try parameter.clearGradient() }
    }

    /// Scales the gradients so that their common norm is at most `limit`; returns the norm before.
    public func clipGradients(to limit: Double) throws(TorchError) -> Double {
        var gradients: [Tensor] = []
        for parameter in parameters {
            if let gradient = try parameter.gradient() { gradients.append(gradient) }
        }
        guard !gradients.isEmpty else { return 0 }
        let norms = try Op.norms.results(.tensors(gradients), .double(2), capacity: gradients.count)
        let norm = try Tensor.stacked(norms).power(2).sum().squareRoot().item()
        if norm > limit, norm.isFinite {
            let scale = try Tensor(Float(limit / norm))
            try withoutGradients { () throws(TorchError) in
                _ = try Op.scaleInPlace.results(.tensors(gradients), .tensor(scale))
            }
        }
        return norm
    }

    /// Everything a resumed run needs, by name.
    public func state() throws(TorchError) -> [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (index, name) in names.enumerated() {
            state["first.\(name)"] = try first[index].copied()
            guard !second.isEmpty else { continue }
            state["second.\(name)"] = try second[index].copied()
            state["steps.\(name)"] = try steps[index].copied()
        }
        return state
    }

    public func load(_ state: [String: Tensor]) throws(TorchError) {
        func take(_ key: String, into tensor: Tensor) throws(TorchError) {
            guard let value = state[key] else {
                throw TorchError(operation: "load optimizer", message: "no state named \(key)")
            }
            try tensor.overwrite(with: value)
        }
        for (index, name) in names.enumerated() {
            try take("first.\(name)", into: first[index])
            guard !second.isEmpty else { continue }
            try take("second.\(name)", into: second[index])
            try take("steps.\(name)", into: steps[index])
        }
    }
}
