import Logging
import ServiceLifecycle

/// Work that a service does again and again beside its requests, until it is told to stop.
struct RepeatedWork: Service {
    let name: String
    let pause: Duration
    let logger: Logger
    let work: @Sendable () async throws -> Void

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await work()
                } catch is CancellationError {
                    break
                } catch {
                    // Its kind alone: an error's words may quote what is stored.
                    logger.warning("\(name) failed: \(type(of: error))")
                }
                try await Task.sleep(for: pause)
            }
        }
    }
}
