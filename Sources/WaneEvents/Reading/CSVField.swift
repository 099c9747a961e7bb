/// A name as a field of CSV: in quotes where a reader would take it apart.
public enum CSVField {
    public static func quoted(_ text: String) -> String {
        text.unicodeScalars.contains { ",\"\n\r".unicodeScalars.contains($0) } ? always(text) : text
    }

    /// In quotes, whatever it holds.
    static func always(_ text: String) -> String { "\"" + text.replacing("\"", with: "\"\"") + "\"" }
}
