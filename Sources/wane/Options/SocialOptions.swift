import WaneEvents

/// Social edges as commands read them.
enum SocialOptions {
    static func read(_ path: String?, log: EventLog, until: Int64?, _ console: Console) throws -> SocialEdges {
        guard let path else { return .none }
        let edges = try SocialEdges.read(path, users: log.users, until: until)
        if let words = edges.report.words { console.note("note: \(words)") }
        return edges
    }
}
