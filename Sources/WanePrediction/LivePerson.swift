import Torch
import WaneBundle
import WaneCurves
import WaneModels
import WaneState

/// A person whose events are still coming: their state, and what a recurrent encoder keeps of the events so far, so
/// that an event costs one step and an answer no reading of the history.
///
/// A stretch of history begins every half of what the encoder reads at once; those that are needed later are carried
/// beside the one in use. The answers are those of the window, to the last digits of float32. Families without a
/// memory of their own read the window that the state keeps.
public struct LivePerson {
    public private(set) var state: PersonState
    /// The person's number among those whose friends the model knows; -1 for all others.
    public let user: Int64
    private let predictor: Predictor
    private let log: AskedLog
    /// The stretches that are being read, by the step that each began at.
    private var stretches: [(start: Int, memory: Tensor)] = []

    /// - Parameter log: whose numbers of items and topics the events have.
    public init(_ predictor: Predictor, in log: AskedLog, user: Int64 = -1) {
        self.predictor = predictor
        self.log = log
        self.user = user
        state = predictor.newState(in: log)
    }

    /// One more event, not before the last.
    ///
    /// - Parameter social: what the person's friends do with a topic, for models whose causes read it.
    public mutating func apply(
        _ event: StateEvent, topics: ArraySlice<UInt32>, social: (UInt32) -> Float = { _ in 0 }
    ) throws {
        let previous = state.eventCount > 0 ? state.lastTime : nil
        let step = state.eventCount
        state.apply(event, topics: topics, social: social)
        guard let encoder = predictor.bundle.network.queries, encoder.readsHistory else { return }
        let length = predictor.bundle.description.options.historyLength
        let gap = Double(event.time - (previous ?? event.time)) / Double(state.schema.horizon)
        try withoutGradients {
            let tensors = EventTensors(
                [(event, previous, user)], rows: log.rows, clock: state.schema.clock, horizon: state.schema.horizon,
                smoothed: predictor.bundle.smoothed)
            for index in stretches.indices {
                guard let next = try encoder.step(stretches[index].memory, tensors, gap: gap) else { continue }
                stretches[index].memory = next
            }
            if step % max(1, length / 2) == 0, let first = try encoder.step(nil, tensors, gap: 0) {
                stretches.append((step, first))
            }
        }
        let used = HistoryBatch.stretchStart(step: step, historyLength: length)
        stretches.removeAll { $0.start < used }
    }

    /// Something the person was shown: see ``PersonState/show(at:topics:)``.
    public mutating func show(at time: Int64, topics: ArraySlice<UInt32>) { state.show(at: time, topics: topics) }

    /// Curves of topics at a moment not before the last event.
    ///
    /// - Parameter moment: microseconds.
    public func curves(
        _ topics: [UInt32], at moment: Int64
    ) throws -> [(curve: InterestCurve, basis: Predictor.Basis)] {
        let encoded = try withoutGradients {
            try stretches.first.flatMap { try predictor.bundle.network.queries?.state($0.memory) }
        }
        return try predictor.curves(
            topics.map { StateQuestion(person: 0, topic: $0, moment: moment) }, of: [(state, user)], in: log,
            encoded: encoded)
    }
}
