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
    static func always(_ text: String) -> String { "\"" + text.replacing("\"", with: "\"\"") + "\"" }
}
