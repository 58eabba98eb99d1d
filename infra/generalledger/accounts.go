package generalledger

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/makegood/makegood/domain"
	"github.com/makegood/makegood/projections/report"
)

// ReadAccounts reads a mapping of makegood's accounts to the company's own, YAML:
//
//	1010: 10500 Clearing card payments
//	4000: 40000
//
// An account is named by its number or by its name in makegood's chart. Behind the code may stand the name that the
// general ledger has for it. All that is wrong is said at once, each with its line.
func ReadAccounts(in io.Reader) (map[string]report.Code, error) {
	var document yaml.Node
	if err := yaml.NewDecoder(in).Decode(&document); errors.Is(err, io.EOF) {
		return nil, errors.New("it maps no account")
	} else if err != nil {
		return nil, fmt.Errorf("it is not YAML: %w", err)
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: accounts stand one a line, such as  1010: 10500 Clearing", root.Line)
	}
	numbers := map[string]string{}
	for _, c := range domain.Chart() {
		number := fmt.Sprint(uint16(c.Account))
		numbers[number], numbers[c.Name] = number, number
	}
	codes := map[string]report.Code{}
	var wrong []error
	for i := 0; i+1 < len(root.Content); i += 2 {
		account, to := root.Content[i], root.Content[i+1]
		fail := func(format string, args ...any) {
			wrong = append(wrong, fmt.Errorf("line %d: %s", account.Line, fmt.Sprintf(format, args...)))
		}
		number, known := numbers[account.Value]
		code, name, _ := strings.Cut(strings.TrimSpace(to.Value), " ")
		switch {
		case !known:
			fail("%q is no account of makegood's chart", account.Value)
		case to.Kind != yaml.ScalarNode || code == "" || to.Tag == "!!null":
			fail("%s: the code in the general ledger is missing", account.Value)
		case codes[number].Code != "":
			fail("%s is mapped twice", account.Value)
		default:
			codes[number] = report.Code{Code: code, Name: strings.TrimSpace(name)}
		}
	}
	return codes, errors.Join(wrong...)
}

// ReadAccountsFile is ReadAccounts of a file.
func ReadAccountsFile(name string) (map[string]report.Code, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the mapping of accounts: %w", err)
	}
	defer f.Close()
	codes, err := ReadAccounts(f)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", name, err)
	}
	return codes, nil
}
