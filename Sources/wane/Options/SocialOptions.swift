import ArgumentParser
import WaneEvents
import WaneModels

/// Social edges as commands read them.
enum SocialOptions {
    static func read(
        _ path: String?, log: EventLog, until: Int64?, families: [String], _ console: Console
    ) throws -> SocialEdges {
        guard let path else { return .none }
        guard families.contains(where: ModelFamilies.usesGraph) else {
            throw ValidationError(
                "--friends: \(families.joined(separator: ", ")) reads no friendships; "
                    + ModelFamilies.all.filter(\.usesGraph).map(\.name).joined(separator: ", ") + " do")
        }
        let edges = try SocialEdges.read(path, users: log.users, until: until)
        if let words = edges.report.words { console.note("note: \(words)") }
        return edges
    }
}
