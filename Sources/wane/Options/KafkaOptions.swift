import ArgumentParser
import WaneKafka
import WaneServer

/// A Kafka topic that events are read from.
struct KafkaOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Read events from Kafka too: host:port of brokers, several with commas between.", valueName: "brokers"))
    var kafka: String?
    @Option(
        help: ArgumentHelp(
            "The topic; each message is an event, or a list of them, as POST /v1/events takes it.", valueName: "name"))
    var kafkaTopic: String?
    @Option(
        help: ArgumentHelp("The name under which the brokers are told how far it has been read.", valueName: "name"))
    var kafkaGroup = "wane"
    @Option(help: ArgumentHelp("Where a topic that was never read is begun: earliest or latest.", valueName: "place"))
    var kafkaFrom = From.earliest
    @Option(
        help: ArgumentHelp(
            "A setting of librdkafka, such as security.protocol=SASL_SSL; several. One with a file in place of a value: sasl.password=@FILE.",
            valueName: "name=value"))
    var kafkaSetting: [String] = []

    enum From: String, ExpressibleByArgument, CaseIterable { case earliest, latest }

    func validate() throws {
        if kafka != nil, kafkaTopic?.isEmpty != false {
            throw ValidationError("--kafka: say which topic with --kafka-topic")
        }
        if kafka == nil, let said = kafkaTopic != nil ? "--kafka-topic" : kafkaSetting.isEmpty ? nil : "--kafka-setting"
        {
            throw ValidationError("\(said): say where the brokers are with --kafka host:port")
        }
        for setting in kafkaSetting where (setting.firstIndex(of: "=") ?? setting.startIndex) == setting.startIndex {
            throw ValidationError("--kafka-setting \(setting.prefix(40)): give name=value")
        }
    }

    /// - Throws: where a file of a setting cannot be read, or librdkafka does not take a setting.
    func source() throws -> KafkaFeed.Source? {
        guard let kafka, let topic = kafkaTopic else { return nil }
        var source = KafkaFeed.Source(brokers: kafka, topic: topic)
        source.group = kafkaGroup
        source.begin = kafkaFrom == .latest ? .latest : .earliest
        source.settings = try kafkaSetting.map { setting in
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts[1].hasPrefix("@") else { return (parts[0], parts[1]) }
            let path = String(parts[1].dropFirst())
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw ValidationError("--kafka-setting \(parts[0]): \(path) cannot be read")
            }
            return (parts[0], text.trimmingCharacters(in: .newlines))
        }
        _ = try KafkaReader(brokers: kafka, topic: topic, group: kafkaGroup, settings: source.settings)
        return source
    }
}
