/// The names and the order of the numbers that a ``PersonState`` gives about a topic.
///
/// Two blocks. **Last-event features** are measured at the person's last event, so they stay as they are while
/// nothing happens; a decay curve is a function of them and of the two elapsed times alone, which is why a curve
/// drawn today and a prediction asked for next week agree. **Query-time features** are the same quantities at the
/// moment of the query; models without a curve (logistic regression, trees) need them.
public enum FeatureSchema {
    /// Half-lives of the decayed counts, in horizons: each four times the one before.
    public static let halfLives = [1.0 / 16, 0.25, 1, 4, 16]
    private static let halfLifeNames = ["16th", "4th", "1", "4", "16"]

    public static let lastEventNames =
        [
            "log_staleness", "log_touches", "log_events", "topic_share", "log_person_age", "log_topic_age",
            "log_mean_interval", "log_spread_interval", "log_median_interval", "intervals_known",
            "log_person_visits", "log_topic_visits",
        ] + halfLifeNames.map { "topic_count_half_life_\($0)_horizon" }
        + halfLifeNames.map { "person_count_half_life_\($0)_horizon" } + [
            "log_popularity", "log_popularity_lately", "hour_sin", "hour_cos", "weekday_sin", "weekday_cos",
            "mean_engagement", "last_engagement", "person_engagement", "log_topics_met", "recent_degree",
            "same_topic_run",
        ]

    /// Those of the last-event features that say how a person touches a topic at all: they do not change while other topics are
    /// touched.
    public static let slowNames = [
        "log_touches", "log_mean_interval", "log_spread_interval", "log_median_interval", "intervals_known",
        "log_topic_visits", "mean_engagement", "last_engagement",
    ]

    public static let queryTimeNames =
        ["log_elapsed_since_topic", "log_elapsed_since_event", "elapsed_over_interval"]
        + halfLifeNames.map { "topic_count_now_half_life_\($0)_horizon" }
        + halfLifeNames.map { "person_count_now_half_life_\($0)_horizon" } + [
            "now_hour_sin", "now_hour_cos", "now_weekday_sin", "now_weekday_cos", "degree_now", "elapsed_in_horizons",
        ]

    public static let lastEventCount = lastEventNames.count
    public static let queryTimeCount = queryTimeNames.count

    /// The place of a last-event feature, for models that read one by name.
    public static func lastEventIndex(_ name: String) -> Int? { lastEventNames.firstIndex(of: name) }
    public static func queryTimeIndex(_ name: String) -> Int? { queryTimeNames.firstIndex(of: name) }
}
