import ArgumentParser

/// An option given twice is a mistake: only one of its values could be obeyed.
enum RepetitionGuard {
    /// Options that may be given several times, and the flag that nobody minds.
    private static let several: Set<String> = ["--map", "--thin", "--quiet"]

    /// - Parameter arguments: as ``CommandWords`` has them.
    static func check(_ arguments: [String]) throws {
        var given: Set<String> = []
        // A service has a model for each task.
        let several = Self.several.union(arguments.first == "serve" ? ["--model"] : [])
        for word in arguments {
            if word == "--" { return }
            guard word.hasPrefix("--") else { continue }
            let name = String(word.prefix { $0 != "=" })
            if !several.contains(name), !given.insert(name).inserted {
                throw ValidationError("\(name) is given twice; give it once")
            }
        }
    }
}
