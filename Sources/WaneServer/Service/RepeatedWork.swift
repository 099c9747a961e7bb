import Logging
import ServiceLifecycle

/// Work that a service does again and again beside its requests, after a pause each time, until it is told to stop.
struct RepeatedWork: Service {
    let name: String
    let pause: Duration
    let logger: Logger
    /// Ends work that is on its way.
    var onStop: @Sendable () async -> Void = {}
    let work: @Sendable () async throws -> Void

    func run() async throws {
        await withGracefulShutdownHandler {
            try? await cancelWhenGracefulShutdown {
                while !Task.isCancelled {
                    try await Task.sleep(for: min(pause, .seconds(5)))
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
        } onGracefulShutdown: {
            Task { await onStop() }
        }
    }
}
