// Package access says who gets in: bearer tokens, the certificate that the gateway shows, and the files that hold
// secrets.
//
// # The access file
//
// One line for each token; empty lines and those that begin with # are for people:
//
//	name  scopes  sha256:hash  [source …]
//	till-17   write       sha256:5f70bf18a0…  urn:till:17
//	finance   read        sha256:2c26b46b68…
//	office    read,books  sha256:fcde2b2edb…
//
// The name goes to the access log. A name may have several tokens, so that one can be exchanged for another without a
// gap. Scopes are those of gateway.Scopes; none implies another. Sources are for write and books: events have one of
// them as their source, exactly. Without any they may have any.
//
// A token is 256 random bits, so its plain SHA-256 is enough: slow, salted hashes protect what people think up and
// others can guess. Here there is nothing to guess, and a slow hash would only make every request, also a stranger's,
// expensive. Tokens of less than 32 characters are never accepted, whatever was hashed. Who reads the file can't get
// in; who writes it can, so it must be its owner's alone to write.
//
// The file is read again when it has changed, within a second and before the next request is answered. What can't be
// read changes nothing: the lines before stay in force, and the log and a metric say so. To lock somebody out, delete
// the line, not the file.
//
// # Failures
//
// Failures are counted and slowed by remote address: each has a budget that refills with time; beyond it an answer is
// held back and is 429. A valid token is never slowed, though: whole stores share an address, and one till with an old
// token must not shut out the others. That gives nothing away, since no number of guesses finds 256 bits. The address
// is the connection's; what headers say about it can be made up.
package access
