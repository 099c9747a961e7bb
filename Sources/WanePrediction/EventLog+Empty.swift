import WaneBundle
import WaneEvents

extension EventLog {
    /// A log of one person without an event, whose topics are those of a model: for people of whom nothing is known.
    public static func empty(of user: String, clock: Clock, like bundle: ModelBundle) -> EventLog {
        // Every item of the model stands in the vocabulary, so that its topics have numbers.
        EventLog(
            users: Vocabulary([user]), items: bundle.vocabulary.items, user: Column([UInt32]()),
            item: Column([UInt32]()), time: Column([Int64]()), duration: Column([Float]()), weight: Column([Float]()),
            topics: bundle.vocabulary.itemTopics, clock: clock)
    }
}
