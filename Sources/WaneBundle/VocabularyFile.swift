import Foundation
import WaneEvents

/// A vocabulary as a text file: a name a line, with `\n`, `\r` and `\\` for what a line cannot hold.
enum VocabularyFile {
    static func encode(_ vocabulary: Vocabulary) -> Data {
        var data = Data()
        for name in vocabulary.names {
            for byte in name.utf8 {
                switch byte {
                case 0x5C: data.append(contentsOf: [0x5C, 0x5C])
                case 0x0A: data.append(contentsOf: [0x5C, 0x6E])
                case 0x0D: data.append(contentsOf: [0x5C, 0x72])
                default: data.append(byte)
                }
            }
            data.append(0x0A)
        }
        return data
    }

    static func decode(_ data: Data) -> Vocabulary? {
        guard String(validating: data, as: UTF8.self) != nil, data.isEmpty || data.last == 0x0A else { return nil }
        let builder = VocabularyBuilder()
        var name: [UInt8] = []
        var escaped = false
        var lines = 0
        for byte in data {
            if escaped {
                name.append(byte == 0x6E ? 0x0A : byte == 0x72 ? 0x0D : byte)
                escaped = false
            } else if byte == 0x5C {
                escaped = true
            } else if byte == 0x0A {
                _ = builder.number(of: String(decoding: name, as: UTF8.self))
                name.removeAll(keepingCapacity: true)
                lines += 1
            } else {
                name.append(byte)
            }
        }
        // A name that stands twice would shift the numbers of all that follow.
        return builder.count == lines ? builder.finish() : nil
    }
}
