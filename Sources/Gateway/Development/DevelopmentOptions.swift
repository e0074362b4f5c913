/// What `archway dev` is asked for.
package struct DevelopmentOptions: Sendable {
    /// The folder for everything: data, configuration, logs, sockets.
    package var state = ".archway"
    /// Where nginx listens on 127.0.0.1.
    package var port: UInt16 = 8080
    /// A configuration file whose providers, models and other settings are added to the built-in ones.
    package var configuration: String?

    /// The defaults.
    package init() {}
}
