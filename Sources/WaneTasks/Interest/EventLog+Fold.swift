import WaneEvents
import WaneState

extension EventLog {
    /// Moves a person's state on by one of their events, and by what they were shown before it: the one way in which training, measuring and
    /// answering fold a log, which must be sorted by person.
    ///
    /// - Parameter friends: what people's friends do, where it is known.
    public func fold(_ index: Int, _ event: StateEvent, friends: FriendActivity?, into state: inout PersonState) {
        foldExposures(before: index, into: &state)
        let person = Int(user[index])
        state.apply(
            event, topics: topics[item[index]], social: { friends?.measure(person, $0, at: event.time) ?? 0 })
    }

    /// What the person of an event was shown before it, for a state that the event itself is kept from.
    public func foldExposures(before index: Int, into state: inout PersonState) {
        // Nothing but causes reads them.
        guard state.schema.causes != nil else { return }
        forEachExposure(beforeEvent: index) { state.show(at: $0, topics: $1) }
    }
}
