module github.com/makegood/makegood

go 1.26.0
