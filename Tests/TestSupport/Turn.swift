/// One after another over all suites of the process, whichever they are in.
public actor Turn {
    /// libtorch's generator and number of threads belong to the whole process: who loads a model draws from the one that another test trains by.
    public static let torch = Turn()

    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    private func take() async {
        if isTaken { await withCheckedContinuation { waiting.append($0) } } else { isTaken = true }
    }

    private func release() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }

    public nonisolated func run(_ body: () async throws -> Void) async throws {
        await take()
        do {
            try await body()
        } catch {
            await release()
            throw error
        }
        await release()
    }
}
