import Foundation

/// Standard error: notes, and one line of status that is drawn over while work goes on.
struct Console: Sendable {
    let quiet: Bool
    private let terminal = isatty(2) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"

    init(quiet: Bool) { self.quiet = quiet }

    func note(_ text: String) {
        guard !quiet else { return }
        clearStatus()
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// Drawn over by the next one; nothing off a terminal.
    func status(_ text: String) {
        guard !quiet, terminal else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[2K\(text)".utf8))
    }

    func clearStatus() {
        guard !quiet, terminal else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[2K".utf8))
    }
}

/// Whether standard output may be coloured: a terminal, and nobody objects (no-color.org).
enum Colour {
    static let enabled: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return isatty(1) == 1 && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }()

    static func bold(_ text: String) -> String { enabled ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
    static func dim(_ text: String) -> String { enabled ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
}
