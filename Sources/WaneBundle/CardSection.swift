import Foundation

extension BundleFolder {
    /// Puts a section into the card of a model on disk, in place of one under the same heading; nothing else of the model changes, and
    /// the folder is exchanged whole.
    ///
    /// - Parameter text: Markdown without the heading.
    /// - Throws: where the folder is no whole model, or takes no files.
    public static func setCardSection(_ heading: String, _ text: String, of path: String) throws {
        let bundle = try read(path)
        let folder = URL(fileURLWithPath: path)
        func file(_ name: String) throws(BundleFolderError) -> Data {
            guard let data = FileManager.default.contents(atPath: folder.appendingPathComponent(name).path) else {
                throw .damaged(path: folder.appendingPathComponent(name).path, reason: "it is missing")
            }
            return data
        }
        let card = String(decoding: try file("card.md"), as: UTF8.self)
        try write(bundle, metrics: try file("metrics.json"), card: replacing(heading, text, in: card), to: path)
    }

    /// A card with a section of its own, last.
    static func replacing(_ heading: String, _ text: String, in card: String) -> String {
        var parts = card.components(separatedBy: "\n## ")
        parts.removeAll { $0.hasPrefix(heading + "\n") }
        let kept =
            parts.map { $0.trimmingCharacters(in: .newlines) } + [
                "\(heading)\n\n" + text.trimmingCharacters(in: .newlines)
            ]
        return kept.joined(separator: "\n\n## ") + "\n"
    }
}
