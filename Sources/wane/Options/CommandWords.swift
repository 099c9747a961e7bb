/// What a person typed, with where the answer goes under its long name.
enum CommandWords {
    /// `-o=FILE` and `-qo FILE` are `--output FILE`.
    static func normalized(_ arguments: [String]) -> [String] {
        arguments.enumerated().flatMap { place, word -> [String] in
            if arguments[..<place].contains("--") { return [word] }
            if word.hasPrefix("-o=") { return ["--output=" + word.dropFirst(3)] }
            let isCluster =
                word.count > 1 && !word.hasPrefix("--") && word.hasPrefix("-")
                && word.dropFirst().allSatisfy { $0.isLetter }
            guard isCluster, word.hasSuffix("o") else { return [word] }
            return (word.count > 2 ? [String(word.dropLast())] : []) + ["--output"]
        }
    }
}
