/// A name as a field of CSV: in quotes where a reader would take it apart.
public enum CSVField {
    public static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            byte != UInt8(ascii: ",") && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\n")
                && byte != UInt8(ascii: "\r")
        }
        return isPlain ? text : always(text)
    }

    /// In quotes, whatever it holds.
    public static func always(_ text: String) -> String {
        // By bytes: a quote before a combining mark is no character of its own.
        guard text.utf8.contains(0x22) else { return "\"" + text + "\"" }
        var bytes: [UInt8] = [0x22]
        for byte in text.utf8 {
            bytes.append(byte)
            if byte == 0x22 { bytes.append(byte) }
        }
        bytes.append(0x22)
        return String(decoding: bytes, as: UTF8.self)
    }
}
