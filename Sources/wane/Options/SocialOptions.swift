import ArgumentParser
import WaneEvents
import WaneModels

/// Who knows whom, as commands that train read it.
struct SocialOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Friendships, for graph families and wane: UserID,FriendID[,Time].", valueName: "file"))
    var friends: String?

    /// Refuses friendships that none of the families would read.
    func check(_ families: [String]) throws {
        guard friends != nil, !families.contains(where: ModelFamilies.readsFriends) else { return }
        throw ValidationError(
            "--friends: \(families.joined(separator: ", ")) reads no friendships; "
                + ModelFamilies.all.filter { ModelFamilies.readsFriends($0.name) }.map(\.name).joined(separator: ", ")
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
