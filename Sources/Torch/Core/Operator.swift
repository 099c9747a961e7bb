import CTorch

/// One operator of libtorch, found by the name of its schema and kept for the life of the process.
///
/// Arguments stand in the schema's order; trailing ones that are left out take their defaults.
public struct Operator: Sendable {
    let name: String
    private let found: Result<Handle, TorchError>

    /// Owned by the shim for the life of the process and never changed.
    private struct Handle: @unchecked Sendable {
        let raw: ct_operator
    }

    public init(_ name: String, _ overload: String = "") {
        self.name = "aten::" + name
        self.found = Self.find("aten::" + name, overload)
    }

    private static func find(_ name: String, _ overload: String) -> Result<Handle, TorchError> {
        do {
            let api = try Runtime.api
            var raw: ct_operator?
            try Runtime.check(api.find_operator(name, overload, &raw), name, api)
            guard let raw else { return .failure(TorchError(operation: name, message: "not found")) }
            return .success(Handle(raw: raw))
        } catch {
            return .failure(error)
        }
    }

    /// The operator's only result.
    public func callAsFunction(_ arguments: Argument...) throws(TorchError) -> Tensor {
        let results = try call(arguments, capacity: 1)
        guard let first = results.first else { throw TorchError(operation: name, message: "returned no tensor") }
        return first
    }

    /// All results of an operator that returns several tensors.
    public func results(_ arguments: Argument..., capacity: Int = 8) throws(TorchError) -> [Tensor] {
        try call(arguments, capacity: capacity)
    }

    private func call(_ arguments: [Argument], capacity: Int) throws(TorchError) -> [Tensor] {
        let api = try Runtime.api
        let raw = try found.get().raw
        var integers: [Int64] = []
        var handles: [ct_tensor?] = []
        for argument in arguments {
            switch argument {
            case .ints(let values): for value in values { integers.append(Int64(value)) }
            case .tensors(let values): for value in values { handles.append(value.raw) }
            case .optionalTensors(let values): for value in values { handles.append(value?.raw) }
            default: break
            }
        }
        var out = [ct_tensor?](repeating: nil, count: capacity)
        var count: Int64 = 0
        // The lists are complete before their addresses are taken, and live until the call returns.
        let code = integers.withUnsafeBufferPointer { integers in
            handles.withUnsafeBufferPointer { handles in
                var nextInteger = 0
                var nextHandle = 0
                let raws = arguments.map { argument in
                    argument.raw(integers, &nextInteger, handles, &nextHandle)
                }
                let code = api.call(raw, raws, Int64(raws.count), &out, Int64(capacity), &count)
                return code
            }
        }
        // The tensors' owners must outlive the call, whatever the optimizer thinks of `arguments`.
        withExtendedLifetime(arguments) {}
        try Runtime.check(code, name, api)
        var results: [Tensor] = []
        results.reserveCapacity(Int(count))
        for handle in out.prefix(Int(count)) { results.append(try Tensor(owning: handle, api)) }
        return results
    }

    public enum Argument {
        case none
        case tensor(Tensor)
        case int(Int)
        case double(Double)
        case bool(Bool)
        case ints([Int])
        case tensors([Tensor])
        case optionalTensors([Tensor?])
        case dtype(DType)
        case string(StaticString)

        /// A tensor, or nothing where there is none.
        static func optional(_ tensor: Tensor?) -> Argument { tensor.map(Argument.tensor) ?? .none }

        func raw(
            _ integers: UnsafeBufferPointer<Int64>, _ nextInteger: inout Int,
            _ handles: UnsafeBufferPointer<ct_tensor?>, _ nextHandle: inout Int
        ) -> ct_arg {
            func list<Element>(
                _ kind: ct_arg_kind, _ buffer: UnsafeBufferPointer<Element>, _ next: inout Int, _ count: Int
            ) -> ct_arg {
                let start = buffer.baseAddress.map { UnsafeRawPointer($0 + next) }
                next += count
                return ct_arg(kind: kind, integer: 0, real: 0, list: start, count: Int64(count))
            }
            switch self {
            case .none: return ct_arg(kind: CT_ARG_NONE, integer: 0, real: 0, list: nil, count: 0)
            case .tensor(let value):
                return ct_arg(
                    kind: CT_ARG_TENSOR, integer: 0, real: 0, list: UnsafeRawPointer(value.raw), count: 1)
            case .int(let value):
                return ct_arg(kind: CT_ARG_INT, integer: Int64(value), real: 0, list: nil, count: 0)
            case .double(let value):
                return ct_arg(kind: CT_ARG_DOUBLE, integer: 0, real: value, list: nil, count: 0)
            case .bool(let value):
                return ct_arg(kind: CT_ARG_BOOL, integer: value ? 1 : 0, real: 0, list: nil, count: 0)
            case .dtype(let value):
                return ct_arg(
                    kind: CT_ARG_DTYPE, integer: Int64(value.raw.rawValue), real: 0, list: nil, count: 0)
            case .string(let value):
                return ct_arg(
                    kind: CT_ARG_STRING, integer: 0, real: 0, list: UnsafeRawPointer(value.utf8Start),
                    count: Int64(value.utf8CodeUnitCount))
            case .ints(let values): return list(CT_ARG_INTS, integers, &nextInteger, values.count)
            case .tensors(let values): return list(CT_ARG_TENSORS, handles, &nextHandle, values.count)
            case .optionalTensors(let values):
                return list(CT_ARG_OPTIONAL_TENSORS, handles, &nextHandle, values.count)
            }
        }
    }
}
