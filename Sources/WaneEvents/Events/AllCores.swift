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

    /// Makes something of each of some inputs on all cores, and hands it on in the order of the inputs: a few for each core are made
    /// before the first is handed on, so that not all of them are held at once.
    ///
    /// - Parameter use: called on the calling thread.
    public static func inOrder<Input: Sendable, Made: Sendable>(
        _ inputs: [Input], make: @Sendable (Input) throws -> Made, use: (Input, Made) throws -> Void
    ) throws {
        let width = 4 * ThreadCount.available
        for start in stride(from: 0, to: inputs.count, by: width) {
            let some = inputs[start..<min(inputs.count, start + width)]
            var made = some.map { (input: $0, result: Result<Made, any Error>?.none) }
            forEach(&made) { _, one in one.result = Result { try make(one.input) } }
            for one in made { if let result = one.result { try use(one.input, result.get()) } }
        }
    }

    /// Each value is touched by one thread.
    private struct Slots<Value>: @unchecked Sendable {
        let values: UnsafeMutablePointer<Value>
    }
}
