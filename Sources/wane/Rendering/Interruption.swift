import Foundation
import Synchronization
import WaneTraining

/// The first Ctrl-C asks running work to save its state and end; the second ends at once.
enum Interruption {
    private static let asked = Atomic<Bool>(false)

    static var isAsked: Bool { asked.load(ordering: .relaxed) }

    /// Ends work of which nothing is kept.
    static func check() throws {
        if isAsked { throw TrainingError.interrupted(checkpoint: nil) }
    }

    static func listen() {
        let handler: @convention(c) (Int32) -> Void = { _ in
            if Interruption.asked.exchange(true, ordering: .relaxed) { _exit(130) }
            let text: StaticString = "\nstopping after this step; once more to stop at once\n"
            _ = write(2, text.utf8Start, text.utf8CodeUnitCount)
        }
        signal(SIGINT, handler)
        signal(SIGTERM, handler)
    }
}
