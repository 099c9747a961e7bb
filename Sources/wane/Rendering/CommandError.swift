/// Why a command cannot answer, where the command was right and the data are not: one line, and status 1.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    init(_ words: String) { description = words }
}
