import ArgumentParser
import WaneEvents
import WaneTasks

/// The interest task on a log: horizon, split and seed.
struct TaskOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How far ahead a return counts, such as 7d or 12h; chosen from the log when absent.", valueName: "time"))
    var horizon: String?

    @Option(help: "How queries are divided: by time on the global clock, or at random, which leaks the future.")
    var split: SplitKind = .time

    @Option(help: "The seed of everything random.")
    var seed: UInt64 = 7

    enum SplitKind: String, ExpressibleByArgument, CaseIterable { case time, random }

    /// - Parameter times: of the log's events in order, where the caller has them.
    func makeSplit(_ log: EventLog, times: [Int64]? = nil, _ console: Console) throws -> Split {
        var chosen: Int64?
        if let horizon {
            if log.clock == .position, let positions = Int64(horizon), positions > 0 {
                guard positions <= TimeSpan.longest / EventLog.second else {
                    throw ValidationError("--horizon \(horizon): no history has so many positions")
                }
                chosen = positions * EventLog.second
            } else {
                guard let span = TimeSpan.parse(horizon) else {
                    throw ValidationError("--horizon \(horizon): give a time such as 7d, 12h or 90min")
                }
                chosen = span
            }
        }
        var split = try Split(log, times: times, horizon: chosen)
        if self.split == .random {
            split.random = true
            console.note("warning: a random split leaks the future into training; its figures are too good")
        }
        return split
    }

    /// Refuses a random split, for what only the time of the question divides.
    func refuseRandomSplit(_ what: String) throws {
        guard split == .random else { return }
        throw ValidationError("--split random: \(what) are divided by time only")
    }

    /// Everything between a log as read and a task to train on.
    ///
    /// - Parameter log: given away: on a large log the events as read and as sorted are not to be held at once.
    func makeTask(_ log: consuming EventLog, _ console: Console) throws -> InterestTask {
        let sorted = log.sortedByUser()
        _ = consume log
        let times = RadixSort.sorted(sorted.time)
        for note in LogSpan(times, clock: sorted.clock).notes { console.note("note: \(note)") }
        let split = try makeSplit(sorted, times: times, console)
        let topics = TopicChooser.topics(for: sorted, until: split.trainEnd, seed: seed)
        console.status("arranging histories")
        let histories = Histories(sorted.with(topics: topics), trainEnd: split.trainEnd)
        let task = InterestTask(histories, split: split, seed: seed)
        console.clearStatus()
        return task
    }
}
