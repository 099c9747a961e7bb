import ArgumentParser
import WaneEvents
import WaneModels

/// Who knows whom, as commands that train read it.
struct SocialOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Friendships, for graph families, and for interest by wane: UserID,FriendID[,Time].", valueName: "file"))
    var friends: String?

    /// Refuses friendships that none of the families would read.
    ///
    /// - Parameter isInterest: whether half-lives are learned, whose causes read friends.
    func check(_ families: [String], isInterest: Bool = false) throws {
        func reads(_ name: String) -> Bool {
            isInterest ? ModelFamilies.readsFriends(name) : ModelFamilies.usesGraph(name)
        }
        guard friends != nil, !families.contains(where: reads) else { return }
        throw ValidationError(
            "--friends: \(families.joined(separator: ", ")) reads no friendships; "
                + ModelFamilies.all.filter { reads($0.name) }.map(\.name).joined(separator: ", ")
                + " do")
    }

    /// - Parameter until: those that begin later are left out.
    func read(for log: EventLog, until: Int64?, _ console: Console) throws -> SocialEdges {
        guard let friends else { return .none }
        let edges = try SocialEdges.read(friends, users: log.users, until: until)
        if let words = edges.report.words { console.note("note: \(words)") }
        return edges
    }
}
