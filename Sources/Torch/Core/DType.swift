import CTorch

/// The type of a tensor's elements.
public enum DType: String, Sendable, CaseIterable {
    case uint8 = "U8"
    case int32 = "I32"
    case int64 = "I64"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case float32 = "F32"
    case float64 = "F64"
    case bool = "BOOL"

    var raw: ct_dtype {
        switch self {
        case .uint8: CT_UINT8
        case .int32: CT_INT32
        case .int64: CT_INT64
        case .float16: CT_FLOAT16
        case .bfloat16: CT_BFLOAT16
        case .float32: CT_FLOAT32
        case .float64: CT_FLOAT64
        case .bool: CT_BOOL
        }
    }

    init(_ raw: ct_dtype) {
        switch raw {
        case CT_UINT8: self = .uint8
        case CT_INT32: self = .int32
        case CT_INT64: self = .int64
        case CT_FLOAT16: self = .float16
        case CT_BFLOAT16: self = .bfloat16
        case CT_FLOAT64: self = .float64
        case CT_BOOL: self = .bool
        default: self = .float32
        }
    }

    /// Bytes an element takes.
    public var width: Int {
        switch self {
        case .uint8, .bool: 1
        case .float16, .bfloat16: 2
        case .int32, .float32: 4
        case .int64, .float64: 8
        }
    }
}

/// A Swift number that a tensor can be made of.
public protocol TensorElement: BitwiseCopyable, Sendable {
    static var dtype: DType { get }
}

extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Double: TensorElement { public static var dtype: DType { .float64 } }
extension Int32: TensorElement { public static var dtype: DType { .int32 } }
extension Int64: TensorElement { public static var dtype: DType { .int64 } }
extension UInt8: TensorElement { public static var dtype: DType { .uint8 } }
