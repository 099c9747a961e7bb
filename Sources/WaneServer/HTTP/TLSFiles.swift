import NIOSSL

/// A certificate with those that it hangs on, and its key, as PEM files.
public struct TLSFiles: Sendable {
    public let certificate: String
    public let key: String

    public init(certificate: String, key: String) { (self.certificate, self.key) = (certificate, key) }

    /// - Throws: ``ServerError/badCertificate(path:)`` naming the file that is none.
    func configuration() throws -> TLSConfiguration {
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(certificate) } catch {
            throw ServerError.badCertificate(path: certificate)
        }
        guard !chain.isEmpty else { throw ServerError.badCertificate(path: certificate) }
        let own: NIOSSLPrivateKey
        do { own = try NIOSSLPrivateKey(file: key, format: .pem) } catch {
            throw ServerError.badCertificate(path: key)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(own))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }
}
