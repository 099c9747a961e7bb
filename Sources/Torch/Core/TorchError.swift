/// What libtorch, or the loading of it, answered instead of a result.
public struct TorchError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The operator or step that failed, such as `aten::mm`.
    public let operation: String
    /// libtorch's own message, one line.
    public let message: String

    public init(operation: String, message: String) {
        self.operation = operation
        self.message = message
    }

    public var description: String { "\(operation): \(message)" }
}
