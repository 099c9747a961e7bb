import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A thread for long work, which gives way to those that answer requests.
final class QuietThread: Sendable {
    private let queue = DispatchQueue(label: "wane.quiet", qos: .utility)

    /// Runs a piece of work after those that came before.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                // Linux counts niceness a thread; one that the queue lends to others later stays nice, which costs nothing while it is idle.
                _ = setpriority(.init(PRIO_PROCESS.rawValue), 0, 10)
                continuation.resume(with: Result { try body() })
            }
        }
    }
}
