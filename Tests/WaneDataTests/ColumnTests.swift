import Testing

@testable import WaneData

@Suite("Columns and vocabularies")
struct ColumnTests {
    @Test("a column keeps what was appended, through growing and trimming")
    func growth() {
        let column = Column<Int64>(capacity: 1)
        for value in 0..<100_000 { column.append(Int64(value)) }
        column.trim()
        #expect(Array(column.values) == (0..<100_000).map(Int64.init))
    }

    @Test("each name has one number, short or long, and comes back")
    func vocabulary() {
        let vocabulary = Vocabulary()
        let names = (0..<5_000).map { "n\($0)" } + (0..<5_000).map { "a longer name \($0)" } + ["", "é", "a\0", "a"]
        let numbers = names.map { vocabulary.number(of: $0) }
        #expect(numbers == (0..<UInt32(names.count)).map { $0 })
        #expect(names.map { vocabulary.number(of: $0) } == numbers)
        #expect(vocabulary.names == names)
        #expect(vocabulary.find("n7") == 7 && vocabulary.find("absent") == nil)
        #expect(vocabulary[1_000_000] == "")
    }

    @Test("sorting by person keeps each person's order of time, and ties in file order")
    func sorting() {
        let log = EventLog(
            users: Vocabulary(["a", "b"]), items: Vocabulary(["x", "y", "z"]), user: Column([1, 0, 1, 0, 1]),
            item: Column([0, 1, 2, 0, 1]), time: Column([5, 9, 5, 3, 1]), topics: .single(3)
        ).sortedByUser()
        #expect(Array(log.user.values) == [0, 0, 1, 1, 1])
        #expect(Array(log.time.values) == [3, 9, 1, 5, 5])
        #expect(Array(log.item.values) == [0, 1, 1, 0, 2])
    }
}
