import WaneEvents

/// Gathers what comes while the store is writing into its next write: one flush to the disk for all who wait.
public actor EventWriter {
    private struct Waiting {
        let sending: Sending
        let answer: CheckedContinuation<Result<[Receipt], StoreError>, Never>
    }

    private let store: any EventStore
    private let limit: Int
    private var waiting: [Waiting] = []
    private var isWriting = false
    /// Events that wait for a write.
    public private(set) var queued = 0

    /// - Parameter limit: events that may wait; more are refused.
    public init(_ store: any EventStore, limit: Int = 200_000) {
        self.store = store
        self.limit = limit
    }

    /// Stores events; returns once they are durable.
    ///
    /// - Throws: ``StoreError/busy`` where too many wait.
    public func append(
        _ records: [EventRecord], arrived: Int64 = 0, places: [StreamPlace] = []
    ) async throws(StoreError) -> [Receipt] {
        guard queued + records.count <= limit || queued == 0 else { throw .busy }
        queued += records.count
        let result = await withCheckedContinuation { answer in
            waiting.append(Waiting(sending: Sending(records, arrived: arrived, places: places), answer: answer))
            if !isWriting {
                isWriting = true
                Task { await write() }
            }
        }
        return try result.get()
    }

    private func write() async {
        while !waiting.isEmpty {
            let batch = waiting
            waiting = []
            let result: Result<[[Receipt]], StoreError>
            do throws(StoreError) {
                result = .success(try await store.append(batch.map(\.sending)))
            } catch {
                result = .failure(error)
            }
            for (place, one) in batch.enumerated() {
                queued -= one.sending.records.count
                one.answer.resume(returning: result.map { $0[place] })
            }
        }
        isWriting = false
    }
}
