import WaneEvents

/// Logs written as lists of item numbers, an event an hour for each person.
public enum TinyLog {
    /// - Parameter hours: the moment of each event, where they are not an hour apart.
    public static func log(_ histories: [[Int]], hours: ((Int, Int) -> Double)? = nil) -> EventLog {
        let (user, item, time) = (ColumnBuilder<UInt32>(), ColumnBuilder<UInt32>(), ColumnBuilder<Int64>())
        let items = VocabularyBuilder()
        for (person, history) in histories.enumerated() {
            for (step, name) in history.enumerated() {
                user.append(UInt32(person))
                item.append(items.number(of: "\(name)"))
                time.append(Int64((hours?(person, step) ?? Double(step)) * 3_600_000_000))
            }
        }
        return EventLog(
            users: Vocabulary(histories.indices.map { "\($0)" }), items: items.finish(),
            user: user.finish(), item: item.finish(), time: time.finish(),
            topics: ItemTopics(names: Vocabulary(), byItem: [], source: .single))
    }
}
