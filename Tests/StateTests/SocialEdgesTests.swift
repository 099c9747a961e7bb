import TestSupport
import Testing
import WaneEvents

@Suite("Social edges")
struct SocialEdgesTests {
    private let users = Vocabulary(["a", "b", "c", "d"])

    private static func numbers(_ edges: SocialEdges) -> [[UInt32]] { edges.friends.map { $0.map(\.user) } }

    private func read(_ text: String, until: Int64? = nil) throws -> SocialEdges {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        return try SocialEdges.read(folder.write("friends.csv", text), users: users, until: until)
    }

    @Test(
        "are read with a header or without, in any delimiter and order of columns",
        arguments: [
            "UserID,FriendID\na,b\nb,c\n", "a\tb\nb\tc\n", "friend_id;user_id\nb;a\nc;b\n", "a b\nb c\n",
        ])
    func forms(text: String) throws {
        #expect(Self.numbers(try read(text)) == [[1], [0, 2], [1], []])
    }

    @Test("go both ways and count once, whichever way and however often they are written; cycles are fine")
    func symmetric() throws {
        let edges = try read("a,b\nb,a\na,b\nb,c\nc,a\n")
        #expect(Self.numbers(edges) == [[1, 2], [0, 2], [0, 1], []])
        #expect(edges.report.edges == 3)
        #expect(edges.report.repeats == 2)
    }

    @Test("to oneself, to people unknown and unreadable ones are left out, counted and named")
    func leftOut() throws {
        let edges = try read("UserID,FriendID\na,a\na,b\na,zoe\nmax,zoe\n\n,b\nc\n")
        #expect(Self.numbers(edges) == [[1], [0], [], []])
        #expect(edges.report.selfLoops == 1)
        #expect(edges.report.unknown == 2)
        #expect(edges.report.unknownNames == ["zoe", "max"])
        #expect(edges.report.unreadable == 2)
        #expect(edges.report.unreadableLines == [7, 8])
        let words = try #require(edges.report.words)
        #expect(words.contains("zoe") && words.contains("lines 7, 8"))
    }

    @Test("that begin after the moment asked for are not known yet")
    func later() throws {
        let until = try #require(TimeFormat.moment("2023-06-01"))
        let edges = try read("UserID,FriendID,Time\na,b,2023-01-01\nb,c,2023-07-01\nc,d,soon\n", until: until)
        #expect(Self.numbers(edges) == [[1], [0], [], []])
        #expect(edges.report.later == 1)
        #expect(edges.report.unreadable == 1)
    }

    @Test("hold from their own moment on; without one, always")
    func asOf() throws {
        let edges = try read("UserID,FriendID,Time\na,b,2023-01-01\nb,c,2023-07-01\nc,d,\na,b,2022-01-01\n")
        func friends(_ moment: String) throws -> [[UInt32]] {
            edges.friends(at: try #require(TimeFormat.moment(moment)), users: 4)
        }
        #expect(try friends("2021-12-31") == [[], [], [3], [2]])
        // The earlier of two rows about the same two people counts.
        #expect(try friends("2022-06-01") == [[1], [0], [3], [2]])
        #expect(try friends("2023-07-02") == [[1], [0, 2], [1, 3], [2]])
    }

    @Test("say what is wrong with a file that joins nobody")
    func useless() {
        #expect(throws: LogError.self) { try read("") }
        #expect(throws: LogError.self) { try read("x,y\ny,z\n") }
        #expect(throws: LogError.self) { try read("justone\n") }
        let error = #expect(throws: LogError.self) { try read("UserID,Buddy\na,b\n") }
        #expect(error?.description.contains("FriendID") == true)
    }

    @Test("drawn bytes are read or refused, never a crash")
    func fuzz() throws {
        var generator = SeededGenerator(seed: 11)
        let alphabet = Array("abcd,;\t\n\r\"\\ 0é")
        for _ in 0..<300 {
            let text = String(
                (0..<Int(generator.uniform() * 60)).map { _ in
                    alphabet[Int(generator.uniform() * Double(alphabet.count))]
                })
            let edges = try? read(text)
            let lists: [[UInt32]] = edges.map { Self.numbers($0) } ?? []
            for (user, friends) in lists.enumerated() {
                #expect(!friends.contains(UInt32(user)))
                for friend in friends { #expect(lists[Int(friend)].contains(UInt32(user))) }
            }
        }
    }
}
