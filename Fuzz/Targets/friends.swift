// Friendships: whatever the bytes, each goes both ways, nobody is their own friend, and every row is accounted for.
import Foundation

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let users = Vocabulary(["a", "b", "c", "dd", "1", "2"])
    let edges = try? SocialEdges.read(MemorySource(bytes), file: "friends", users: users, until: 1_700_000_000_000_000)
    guard let edges else { return 0 }
    var count = 0
    for (user, friends) in edges.friends.enumerated() {
        precondition(!friends.contains { $0.user == UInt32(user) })
        for friend in friends {
            precondition(
                edges.friends[Int(friend.user)].contains { $0.user == UInt32(user) && $0.since == friend.since })
        }
        count += friends.count
    }
    precondition(count == 2 * edges.report.edges)
    return 0
}
