import ArgumentParser

/// Where a command's answer goes.
struct AnswerOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write the answer into this file; standard output when absent.", valueName: "file"))
    var output: String?
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
extension Inspect: Answering { var answerFile: String? { answer.output } }
extension Compare: Answering { var answerFile: String? { answer.output } }
extension Evaluate: Answering { var answerFile: String? { answer.output } }
extension RankCompare: Answering { var answerFile: String? { answer.output } }
extension ReturnCompare: Answering { var answerFile: String? { answer.output } }
extension Sparse: Answering { var answerFile: String? { answer.output } }
extension SearchCommand: Answering { var answerFile: String? { answer.output } }
