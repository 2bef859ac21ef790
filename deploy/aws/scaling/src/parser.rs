//! Parses metric math: comparisons bind least, then sums, then products.

use anyhow::{Context, bail, ensure};

use crate::expression::{Expression, Operator};

/// Parses an expression.
pub fn parse(text: &str) -> anyhow::Result<Expression> {
    parse_all(text).with_context(|| format!("in the expression {text:?}"))
}

fn parse_all(text: &str) -> anyhow::Result<Expression> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0 };
    let expression = parser.comparison()?;
    ensure!(parser.peek().is_none(), "{:?} is left over", parser.peek());
    Ok(expression)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Word(String),
    Sign(&'static str),
}

const SIGNS: [&str; 15] = ["<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "(", ")", "[", "]", ","];

fn tokens(text: &str) -> anyhow::Result<Vec<Token>> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let end_of = |part: fn(char) -> bool| rest.find(|c: char| !part(c)).unwrap_or(rest.len());
        let length = if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else if first.is_ascii_digit() {
            let end = end_of(|c| c.is_ascii_digit() || c == '.');
            tokens.push(Token::Number(rest[..end].parse()?));
            end
        } else if first.is_ascii_alphabetic() {
            let end = end_of(|c| c.is_ascii_alphanumeric() || c == '_');
            tokens.push(Token::Word(rest[..end].to_owned()));
            end
        } else {
            bail!("{first:?} is not understood");
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.next += usize::from(found);
        found
    }

    fn comparison(&mut self) -> anyhow::Result<Expression> {
        use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let all = [
            ("<=", LessOrEqual),
            (">=", GreaterOrEqual),
            ("==", Equal),
            ("!=", NotEqual),
            ("<", Less),
            (">", Greater),
        ];
        self.binary(&all, Self::sum)
    }

    fn sum(&mut self) -> anyhow::Result<Expression> {
        self.binary(&[("+", Operator::Add), ("-", Operator::Subtract)], Self::product)
    }

    fn product(&mut self) -> anyhow::Result<Expression> {
        self.binary(&[("*", Operator::Multiply), ("/", Operator::Divide)], Self::atom)
    }

    fn binary(
        &mut self,
        operators: &[(&str, Operator)],
        operand: fn(&mut Self) -> anyhow::Result<Expression>,
    ) -> anyhow::Result<Expression> {
        let mut left = operand(self)?;
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.takes(sign)) {
            left = Expression::Binary(*operator, Box::new(left), Box::new(operand(self)?));
        }
        Ok(left)
    }

    fn atom(&mut self) -> anyhow::Result<Expression> {
        if self.takes("(") {
            let inner = self.comparison()?;
            ensure!(self.takes(")"), "a parenthesis is not closed");
            return Ok(inner);
        }
        if self.takes("[") {
            return Ok(Expression::List(self.items("]")?));
        }
        let token = self.peek().cloned();
        self.next += 1;
        match token {
            Some(Token::Number(number)) => Ok(Expression::Number(number)),
            Some(Token::Word(name)) if self.takes("(") => Ok(Expression::Call(name, self.items(")")?)),
            Some(Token::Word(name)) => Ok(Expression::Id(name)),
            other => bail!("{other:?} where a value should be"),
        }
    }

    fn items(&mut self, end: &str) -> anyhow::Result<Vec<Expression>> {
        let mut items = vec![self.comparison()?];
        while self.takes(",") {
            items.push(self.comparison()?);
        }
        ensure!(self.takes(end), "{end} is missing");
        Ok(items)
    }
}
