/// A tensor that training changes. A class, so that the optimizer and the layer see the same one.
public final class Parameter {
    public let value: Tensor

    public init(_ value: Tensor) throws(TorchError) {
        try value.setRequiresGradient(true)
        self.value = value
    }
}

/// A layer or a model: anything whose stored properties are parameters, modules, or lists of them.
public protocol Module {}

extension Module {
    /// Every parameter, named by the path of properties that leads to it, such as `encoder.cell.weight`.
    public var parameters: [(name: String, parameter: Parameter)] {
        Self.parameters(in: self, path: [])
    }

    private static func parameters(in value: Any, path: [String]) -> [(name: String, parameter: Parameter)] {
        Mirror(reflecting: value).children.enumerated().flatMap { place, child in
            let path = path + [child.label ?? String(place)]
            if let parameter = child.value as? Parameter {
                return [(path.joined(separator: "."), parameter)]
            }
            let mirror = Mirror(reflecting: child.value)
            switch mirror.displayStyle {
            // An optional adds a step of its own; its name would not help a reader.
            case .optional:
                guard let wrapped = mirror.children.first?.value else { return [] }
                if let parameter = wrapped as? Parameter {
                    return [(path.joined(separator: "."), parameter)]
                }
                return parameters(in: wrapped, path: path)
            case .collection: return parameters(in: child.value, path: path)
            default: return child.value is any Module ? parameters(in: child.value, path: path) : []
            }
        }
    }

    /// Copies of all weights, by name.
    public func weights() throws(TorchError) -> [String: Tensor] {
        var weights: [String: Tensor] = [:]
        for (name, parameter) in parameters { weights[name] = try parameter.value.copied() }
        return weights
    }

    /// Takes over weights by name: all of them, or an error and no change of meaning.
    public func load(_ weights: [String: Tensor]) throws(TorchError) {
        let own = parameters
        for (name, parameter) in own {
            guard let weight = weights[name] else {
                throw TorchError(operation: "load weights", message: "no weight named \(name)")
            }
            guard weight.shape == parameter.value.shape else {
                throw TorchError(
                    operation: "load weights",
                    message: "\(name) has shape \(weight.shape), the model needs \(parameter.value.shape)")
            }
        }
        if let extra = Set(weights.keys).subtracting(own.map(\.name)).sorted().first {
            throw TorchError(operation: "load weights", message: "the model has no weight named \(extra)")
        }
        for (name, parameter) in own {
            if let weight = weights[name] { try parameter.value.overwrite(with: weight) }
        }
    }
}
