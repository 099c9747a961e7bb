// Files of items: whatever the bytes, each item has topics that there are, in order and each once, in any order of the rows.
import Foundation

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let items = Vocabulary(["a", "b", "c", "dd", "1", "2"])
    var options = ReadingOptions()
    if bytes.first == 0x7C { options.topicSeparator = "|" }
    guard let contents = try? ItemFile.read(MemorySource(bytes), file: "items", for: items, options: options) else {
        return 0
    }
    let topics = contents.topics
    precondition(topics.itemCount == items.count && topics.count > 0)
    for item in 0..<UInt32(items.count) {
        let own = Array(topics[item])
        precondition(own == Array(Set(own)).sorted() && own.allSatisfy { Int($0) < topics.count })
    }
    return 0
}
