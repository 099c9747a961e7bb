/// Keeps every row that was set aside: where, why, and the row.
final class RejectsFile {
    private let file: OutputFile

    init(path: String) throws(LogError) {
        do throws(OutputError) {
            file = try OutputFile(path)
            try file.write("line,column,reason,row\n")
        } catch { throw .rejects(error) }
    }

    func write(_ row: RejectedRow, text: String) throws(LogError) {
        let line =
            "\(row.line),\(CSVField.always(row.column)),\(CSVField.always(row.description)),\(CSVField.always(text))\n"
        do throws(OutputError) { try file.write(line) } catch { throw .rejects(error) }
    }

    func close() throws(LogError) {
        do throws(OutputError) { try file.close() } catch { throw .rejects(error) }
    }
}
