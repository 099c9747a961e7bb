import ArgumentParser
import Foundation
import WaneData
import WaneTraining

/// Finding the person, topic and moment that a question is about.
struct Asking {
    let task: InterestTask
    var histories: Histories { task.histories }

    func user(_ name: String) throws -> Int {
        guard let user = histories.log.users.find(name) else {
            throw ValidationError("the log has no person \"\(name)\"")
        }
        return Int(user)
    }

    func pair(user: Int, topic name: String) throws -> Int {
        let log = histories.log
        let met = histories.userPairs[user]..<histories.userPairs[user + 1]
        guard let topic = log.topics.names.find(name), let pair = histories.pair(user: user, topic: topic) else {
            let known = met.prefix(12).map { log.topics.names[Int(histories.pairTopic[$0])] }
            throw ValidationError(
                "\(log.users[user]) has never met the topic \"\(name)\", so there is no interest that could fade; "
                    + "they have met \(known.joined(separator: ", "))\(met.count > 12 ? ", ..." : "")")
        }
        return pair
    }

    /// The pair that the person has touched most.
    func busiestPair(of user: Int) throws -> Int {
        guard let pair = histories.busiestPair(ofUser: user) else {
            throw ValidationError("\(histories.log.users[user]) has no event with a topic")
        }
        return pair
    }

    /// A moment that a person gave, or the end of the person's own history.
    func moment(_ text: String?, user: Int) throws -> Int64 {
        let last = histories.log.time[histories.userStarts[user + 1] - 1]
        guard let text else { return last }
        if text == "end" { return histories.allTimes.last ?? last }
        if histories.log.clock == .position, let position = Int64(text), position > 0, position < 1 << 40 {
            return histories.moment(ofPosition: position, user: user)
        }
        guard let moment = TimeFormat.moment(text) else {
            throw ValidationError("--at \(text): give a time such as 2023-01-01 10:00:00, or end for the log's end")
        }
        return moment
    }
}
