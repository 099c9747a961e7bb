import Dispatch

/// Work on many values at once, on all cores.
public enum AllCores {
    /// Ranges of `count` places, up to 64 of about one size; as many on every machine, so that what is summed by them is summed in one
    /// order.
    public static func parts(_ count: Int) -> [Range<Int>] {
        let parts = max(1, min(count, 64))
        return (0..<parts).map { count * $0 / parts..<count * ($0 + 1) / parts }
    }

    /// Calls `work` with each value, which it may change, and its place.
    public static func forEach<Value: Sendable>(
        _ values: inout [Value], _ work: @Sendable (Int, inout Value) -> Void
    ) {
        values.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let slots = Slots(values: base)
            DispatchQueue.concurrentPerform(iterations: buffer.count) { work($0, &slots.values[$0]) }
        }
    }

    /// Each value is touched by one thread.
    private struct Slots<Value>: @unchecked Sendable {
        let values: UnsafeMutablePointer<Value>
    }
}
