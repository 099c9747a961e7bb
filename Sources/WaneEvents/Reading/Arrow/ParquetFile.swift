import CArrow
import Foundation

/// A Parquet file that is written row by row; it is at its place when it is closed, and not before.
public final class ParquetFile {
    /// What a column holds.
    public enum Kind: Sendable { case text, number, whole }

    /// A row's value in a column.
    public enum Value: Sendable {
        case text(String)
        case number(Double)
        case whole(Int)
        case none
    }

    private let api: ca_api
    private var writer: ca_writer?
    private let path: String

    public init(_ path: String, columns: [(name: String, kind: Kind)]) throws(OutputError) {
        self.path = path
        do throws(LogError) { api = try ArrowLibrary.api(for: path) } catch {
            throw OutputError(path: path, reason: "\(error)")
        }
        let names = columns.map { strdup($0.name) }
        defer { names.forEach { free($0) } }
        let kinds = columns.map { column in
            switch column.kind {
            case .text: CA_WRITE_TEXT
            case .number: CA_WRITE_NUMBER
            case .whole: CA_WRITE_INTEGER
            }
        }
        writer = names.map { UnsafePointer($0) }.withUnsafeBufferPointer { [api] names in
            api.open_writer(path, names.baseAddress, kinds, Int32(columns.count))
        }
        if writer == nil { throw OutputError(path: path, reason: api.fault) }
    }

    deinit { if let writer { api.discard_writer(writer) } }

    /// One more row: a value of its kind, or none, for each column.
    public func append(_ row: [Value]) throws(OutputError) {
        for (column, value) in row.enumerated() {
            let column = Int32(column)
            let code =
                switch value {
                case .text(let text):
                    Array(text.utf8).withUnsafeBytes {
                        api.write_text(
                            writer, column, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int64($0.count))
                    }
                case .number(let number): api.write_number(writer, column, number)
                case .whole(let number): api.write_integer(writer, column, Int64(number))
                case .none: api.write_null(writer, column)
                }
            if code != 0 { throw OutputError(path: path, reason: api.fault) }
        }
    }

    public func close() throws(OutputError) {
        guard let open = writer else { return }
        writer = nil
        if api.close_writer(open) != 0 { throw OutputError(path: path, reason: api.fault) }
    }
}
