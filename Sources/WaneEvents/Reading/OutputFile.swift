import Foundation

/// A file that is written in place: a device, a pipe or a symbolic link stays what it is, and missing folders are made.
public struct OutputFile {
    public let path: String
    private let handle: FileHandle

    /// Opens the file, emptied.
    ///
    /// - Parameter path: `-` for standard output.
    public init(_ path: String) throws(OutputError) {
        self.path = path == "-" ? "standard output" : path
        if path == "-" {
            handle = .standardOutput
            return
        }
        try Self.makeFolder(of: path)
        handle = FileHandle(
            fileDescriptor: try Self.descriptor(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC), closeOnDealloc: true)
    }

    public func write(_ text: String) throws(OutputError) {
        do { try handle.write(contentsOf: Data(text.utf8)) } catch { throw OutputError(path: path, error) }
    }

    /// Sees that all has been taken.
    public func close() throws(OutputError) {
        if handle === FileHandle.standardOutput { return }
        do { try handle.close() } catch { throw OutputError(path: path, error) }
    }

    public static func write(_ text: String, to path: String) throws(OutputError) {
        let file = try OutputFile(path)
        try file.write(text)
        try file.close()
    }

    /// Makes missing folders, and sees that the file can be written, before long work begins; what is there stays as it is.
    public static func prepare(_ path: String?) throws(OutputError) {
        guard let path, path != "-" else { return }
        try makeFolder(of: path)
        let existed = FileManager.default.fileExists(atPath: path)
        // A pipe would wait here for its reader.
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFIFO { return }
        _ = Foundation.close(try descriptor(path, O_WRONLY | O_CREAT | O_CLOEXEC))
        if !existed { unlink(path) }
    }

    private static func makeFolder(of path: String) throws(OutputError) {
        do {
            try FileManager.default.createDirectory(
                at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        } catch { throw OutputError(path: path, error) }
    }

    private static func descriptor(_ path: String, _ flags: Int32) throws(OutputError) -> Int32 {
        let descriptor = open(path, flags, 0o644)
        guard descriptor >= 0 else { throw OutputError(path: path, reason: String(cString: strerror(errno))) }
        return descriptor
    }
}

/// Why a file cannot be written.
public struct OutputError: Error, Sendable, Equatable, CustomStringConvertible {
    public let path: String
    public let reason: String

    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    /// - Parameter error: Foundation's, whose words hide the system's.
    public init(path: String, _ error: any Error) {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        let code = underlying?.domain == NSPOSIXErrorDomain ? underlying?.code : nil
        self.init(
            path: path,
            reason: code.map { String(cString: strerror(Int32($0))) } ?? (error as NSError).localizedDescription)
    }

    public var description: String { "\(path): cannot be written: \(reason)" }
}
