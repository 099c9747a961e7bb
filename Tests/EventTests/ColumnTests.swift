import Testing

@testable import WaneEvents

@Suite("Columns and vocabularies")
struct ColumnTests {
    @Test("a column keeps what was appended, through growing and freezing, and nothing that comes later")
    func growth() {
        let builder = ColumnBuilder<Int64>(capacity: 1)
        for value in 0..<100_000 { builder.append(Int64(value)) }
        let column = builder.finish()
        #expect(Array(column) == (0..<100_000).map(Int64.init))
        // What follows is another column's.
        builder.append(7)
        let other = builder.finish()
        #expect(column.count == 100_000 && Array(other) == [7])
    }

    @Test("each name has one number, short or long, and comes back")
    func vocabulary() {
        let builder = VocabularyBuilder()
        let names = (0..<5_000).map { "n\($0)" } + (0..<5_000).map { "a longer name \($0)" } + ["", "é", "a\0", "a"]
        let numbers = names.map { builder.number(of: $0) }
        #expect(numbers == (0..<UInt32(names.count)).map { $0 })
        #expect(names.map { builder.number(of: $0) } == numbers)
        let vocabulary = builder.finish()
        _ = builder.number(of: "later")
        #expect(vocabulary.names == names)
        #expect(vocabulary.find("n7") == 7 && vocabulary.find("absent") == nil && vocabulary.find("later") == nil)
        #expect(vocabulary[1_000_000] == "")
    }

    @Test("sorting by person keeps each person's order of time, and ties in file order")
    func sorting() {
        let log = EventLog(
            users: Vocabulary(["a", "b"]), items: Vocabulary(["x", "y", "z"]), user: Column([1, 0, 1, 0, 1]),
            item: Column([0, 1, 2, 0, 1]), time: Column([5, 9, 5, 3, 1]), topics: .single(3)
        ).sortedByUser()
        #expect(Array(log.user) == [0, 0, 1, 1, 1])
        #expect(Array(log.time) == [3, 9, 1, 5, 5])
        #expect(Array(log.item) == [0, 1, 1, 0, 2])
    }
}
