/// Where a tensor lives.
public enum Device: Sendable, Equatable {
    case cpu
    case cuda(Int)

    var index: Int64 {
        switch self {
        case .cpu: -1
        case .cuda(let number): Int64(number)
        }
    }

    init(index: Int64) { self = index < 0 ? .cpu : .cuda(Int(index)) }

    /// The first GPU where there is one, else the CPU.
    public static var best: Device {
        get throws(TorchError) { try Runtime.cudaAvailable ? .cuda(0) : .cpu }
    }
}
