import WaneData

/// Logs written as lists of item numbers, an event an hour for each person.
public enum TinyLog {
    /// - Parameter hours: the moment of each event, where they are not an hour apart.
    public static func log(_ histories: [[Int]], hours: ((Int, Int) -> Double)? = nil) -> EventLog {
        let (user, item, time) = (Column<UInt32>(), Column<UInt32>(), Column<Int64>())
        let items = Vocabulary()
        for (person, history) in histories.enumerated() {
            for (step, name) in history.enumerated() {
                user.append(UInt32(person))
                item.append(items.number(of: "\(name)"))
                time.append(Int64((hours?(person, step) ?? Double(step)) * 3_600_000_000))
            }
        }
        return EventLog(
            users: Vocabulary(histories.indices.map { "\($0)" }), items: items, user: user, item: item, time: time,
            topics: ItemTopics(names: Vocabulary(), byItem: [], source: .single))
    }
}
