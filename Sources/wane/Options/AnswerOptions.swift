import ArgumentParser
import Foundation

/// Where a command's answer goes.
struct AnswerOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write the answer into this file; standard output when absent.", valueName: "file"))
    var output: String?

    /// The format that the file's name ends with; nothing where it says none.
    func ending<Format: RawRepresentable<String>>() -> Format? {
        output.flatMap { Format(rawValue: URL(fileURLWithPath: $0).pathExtension.lowercased()) }
    }

    /// A table for people in a file that other programs would open as something else is a mistake.
    func checkEnding<Format: RawRepresentable<String> & CaseIterable>(_ formats: Format.Type) throws {
        guard let output, (ending() as Format?) == nil else { return }
        let ending = URL(fileURLWithPath: output).pathExtension.lowercased()
        let others = [
            "parquet", "jsonl", "ndjson", "tsv", "xlsx", "feather", "arrow", "html", "htm", "svg", "gz", "zst",
        ]
        guard others.contains(ending) else { return }
        let names = Format.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError(
            "--output \(output): answers come as \(names), not as \(ending); name the file so, or say which with --format"
        )
    }
}

/// A command whose answer may go into a file.
protocol Answering {
    var answerFile: String? { get }
}

extension Predict: Answering { var answerFile: String? { output.answer.output } }
extension Curve: Answering { var answerFile: String? { output.answer.output } }
extension Causes: Answering { var answerFile: String? { output.answer.output } }
extension Explain: Answering { var answerFile: String? { output.answer.output } }
extension Topics: Answering { var answerFile: String? { output.answer.output } }
extension RankItems: Answering { var answerFile: String? { output.answer.output } }
extension ReturnPredict: Answering { var answerFile: String? { output.answer.output } }
extension Models: Answering { var answerFile: String? { output.answer.output } }
extension Inspect: Answering { var answerFile: String? { output.answer.output } }
extension Compare: Answering { var answerFile: String? { output.answer.output } }
extension Evaluate: Answering { var answerFile: String? { output.answer.output } }
extension RankCompare: Answering { var answerFile: String? { output.answer.output } }
extension ReturnCompare: Answering { var answerFile: String? { output.answer.output } }
extension Sparse: Answering { var answerFile: String? { output.answer.output } }
extension SearchCommand: Answering { var answerFile: String? { output.answer.output } }
